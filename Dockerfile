# Builds Martlet with the Swift toolchain and keeps only the binary: the runtime image has no Swift and no compiler.
# Dependencies have layers of their own, so that a change of sources rebuilds the sources alone.

FROM swift:6.3-bookworm AS build
RUN apt-get -q update \
 && apt-get -q install -y --no-install-recommends libuv1-dev libjansson-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /martlet
COPY Package.swift ./
RUN swift package resolve
COPY scripts scripts
COPY CModules CModules
COPY Sources Sources
# The manifest names benchmarks and the test targets too; SwiftPM wants their folders, empty will do for tests.
COPY Benchmarks/Store Benchmarks/Store
COPY Benchmarks/JSON/Server Benchmarks/JSON/Server
RUN for tests in $(sed -n 's/^ *tests("\([A-Za-z]*\)".*/\1/p' Package.swift); do mkdir -p "Tests/$tests"; done
RUN scripts/build && for program in martlet martlet-bench-json; do strip -o /usr/local/bin/$program .build/release/$program || exit; done && martlet version

FROM debian:bookworm-slim
RUN apt-get -q update \
 && apt-get -q install -y --no-install-recommends libuv1 libjansson4 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system --gid 10001 martlet \
 && useradd --system --uid 10001 --gid martlet --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin martlet
COPY --from=build /usr/local/bin/martlet /usr/local/bin/martlet-bench-json /usr/local/bin/
USER 10001:10001
# Beyond loopback, since a container's loopback reaches nobody. Without a token that needs MARTLET_INSECURE=true: said by who runs it.
ENV MARTLET_HTTP=0.0.0.0:8080 MARTLET_RESP=0.0.0.0:6379 MARTLET_MEMCACHED=0.0.0.0:11211
EXPOSE 8080 6379 11211
HEALTHCHECK --start-period=10s --start-interval=1s --interval=10s --timeout=3s --retries=3 CMD ["martlet", "health"]
ENTRYPOINT ["martlet"]
CMD ["serve"]
