"""Options, environment and configuration file: what is accepted, which of them wins, and how a wrong one is told."""

import json

import pytest

from server import Server, run


def assert_refused(result, *words, status=2):
    """One line on standard error that names what is wrong; nothing on standard output; never a usage dump or a trace."""
    assert result.returncode == status, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0], f"{word!r} is not named in: {lines[0]}"


def test_version_prints_one_line():
    result = run("version")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 1
    assert any(character.isdigit() for character in result.stdout)


@pytest.mark.parametrize("option", ["--htpp", "--ttl", "-x", "--listen=1"])
def test_an_unknown_option_is_refused_in_one_line(option):
    assert_refused(run("serve", option), option.split("=")[0])


def test_an_unknown_command_is_refused_in_one_line():
    assert_refused(run("sevre"), "sevre")


def test_a_stray_argument_is_refused_in_one_line():
    assert_refused(run("serve", "8080"), "8080")


def test_an_option_without_its_value_is_refused_in_one_line():
    assert_refused(run("serve", "--threads"), "--threads")


BAD_VALUES = [
    ("http", "127.0.0.1"), ("http", "127.0.0.1:"), ("http", "127.0.0.1:65536"), ("http", "127.0.0.1:http"), ("http", "-1"),
    ("http", "70000"), ("http", "[::1]"), ("http", "unix:"), ("http", "on"),
    ("resp", "nowhere"), ("memcached", "nowhere"),
    ("threads", "0"), ("threads", "-1"), ("threads", "two"), ("threads", "99999999999999999999"),
    ("memory", "31MiB"), ("memory", "1"), ("memory", "1TB"), ("memory", "64 MiB"), ("memory", "-1GiB"), ("memory", "1e9"),
    ("memory", "99999999999GiB"),
    ("eviction", "lru"), ("eviction", "S3FIFO?"),
    ("log-level", "loud"),
    ("connections", "0"), ("connections", "-5"), ("connections", "many"),
    ("body-limit", "65MiB"), ("body-limit", "x"), ("body-limit", "-1"),
    ("drain", "-1"), ("drain", "soon"), ("drain", "inf"), ("drain", "nan"),
    ("drain-delay", "-1"), ("drain-delay", "later"),
]


@pytest.mark.parametrize("option, value", BAD_VALUES)
def test_a_bad_value_on_the_command_line_is_refused_naming_option_and_value(option, value):
    assert_refused(run("serve", f"--{option}={value}"), f"--{option}", value)


def variable(option):
    return "MARTLET_" + option.upper().replace("-", "_")


@pytest.mark.parametrize("option, value", BAD_VALUES)
def test_a_bad_value_in_the_environment_is_refused_naming_the_variable(option, value):
    assert_refused(run("serve", env={variable(option): value}), variable(option), value)


@pytest.mark.parametrize("option, value", BAD_VALUES)
def test_a_bad_value_in_the_file_is_refused_naming_file_and_key(tmp_path, option, value):
    assert_refused(run("serve", "--config", write(tmp_path, {option: value})), "martlet.json", option, value)


def write(folder, settings, name="martlet.json"):
    path = folder / name
    path.write_text(settings if isinstance(settings, str) else json.dumps(settings))
    return path


def test_a_misspelt_key_in_the_file_is_refused_naming_it(tmp_path):
    assert_refused(run("serve", "--config", write(tmp_path, {"log_level": "info"})), "log_level", "martlet.json")


@pytest.mark.parametrize("text", ["", "{", '{"http":}', "[]", '"http"', '{"http":"127.0.0.1:0"} x', "null", '{"threads":[1]}'])
def test_a_file_that_is_not_one_json_object_of_settings_is_refused(tmp_path, text):
    assert_refused(run("serve", "--config", write(tmp_path, text)), "martlet.json")


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path):
    result = run("serve", "--config", tmp_path / "absent.json")
    assert_refused(result, "absent.json", status=result.returncode)
    assert result.returncode in (1, 2)


def test_a_key_given_twice_in_the_file_does_not_pass_silently_as_two_settings(tmp_path):
    result = run("serve", "--config", write(tmp_path, '{"threads":"0","threads":"0"}'))
    assert_refused(result, "threads")


def test_flags_beat_environment_beats_file_beats_defaults(tmp_path, start):
    flag, env, file = (f"unix:{tmp_path}/{name}" for name in ("flag", "env", "file"))
    config = write(tmp_path, {"http": file})
    assert start("--config", config, http=None).listeners == {"http": file}
    assert start("--config", config, env={"MARTLET_HTTP": env}, http=None).listeners == {"http": env}
    assert start("--config", config, "--http", flag, env={"MARTLET_HTTP": env}, http=None).listeners == {"http": flag}


def test_an_empty_variable_means_unset(tmp_path, start):
    file = f"unix:{tmp_path}/file"
    config = write(tmp_path, {"http": file})
    empty = {variable(o): "" for o in ("http", "threads", "memory", "token", "token-file", "insecure", "log-level", "body-limit")}
    assert start("--config", config, env=empty, http=None).listeners == {"http": file}


def test_the_file_can_be_named_in_the_environment(tmp_path, start):
    file = f"unix:{tmp_path}/file"
    assert start(env={"MARTLET_CONFIG": str(write(tmp_path, {"http": file}))}, http=None).listeners == {"http": file}


GOOD_VALUES = {
    "threads": "2", "memory": "64MiB", "eviction": "none", "log-level": "debug", "connections": "100", "body-limit": "64MiB",
    "drain": "0.5", "drain-delay": "0", "resp": "off", "memcached": "off",
}


def test_every_option_is_taken_from_the_command_line(start):
    start(*(word for option, value in GOOD_VALUES.items() for word in (f"--{option}", value)), "--insecure", "--enable-debug")


def test_every_option_is_taken_from_the_environment(start):
    start(env={variable(option): value for option, value in GOOD_VALUES.items()} | {"MARTLET_INSECURE": "true", "MARTLET_ENABLE_DEBUG": "true"})


def test_every_option_is_taken_from_the_file_as_text(tmp_path, start):
    start("--config", write(tmp_path, GOOD_VALUES))


def test_the_file_may_hold_numbers_and_truth_values_where_they_are_meant(tmp_path, start):
    start("--config", write(tmp_path, {
        "threads": 1, "memory": 67108864, "connections": 100, "body-limit": 1000000, "drain": 0.5, "drain-delay": 0,
        "insecure": False, "enable-debug": True}))


@pytest.mark.parametrize("level", ["trace", "debug", "info", "notice", "warning", "error", "critical"])
def test_every_log_level_is_taken(level, start):
    start("--log-level", level)


def test_the_body_limit_holds_wherever_it_was_set(tmp_path, start):
    for server in (
        start("--body-limit", "1KiB"),
        start(env={"MARTLET_BODY_LIMIT": "1KiB"}),
        start("--config", write(tmp_path, {"body-limit": "1KiB"})),
    ):
        assert server.put("/v1/cache/a", b"x" * 1024).status_code == 201
        assert server.put("/v1/cache/b", b"x" * 1025).status_code == 413


# Tokens


def test_an_empty_token_is_refused(tmp_path):
    assert_refused(run("serve", "--token", ""), "--token")
    assert_refused(run("serve", "--config", write(tmp_path, {"token": ""})), "token", "martlet.json")
    assert_refused(run("serve", "--token-file", write(tmp_path, "\n", name="token")), "token")
    assert_refused(run("serve", "--token-file", write(tmp_path, "", name="token")), "token")


def test_a_token_file_that_is_not_there_is_refused_in_one_line(tmp_path):
    result = run("serve", "--token-file", tmp_path / "absent")
    assert_refused(result, "absent", status=result.returncode)
    assert result.returncode in (1, 2)


def test_a_token_and_a_token_file_together_are_refused(tmp_path):
    assert_refused(run("serve", "--token", "a", "--token-file", write(tmp_path, "b", name="token")), "token")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_token_is_demanded_wherever_it_was_set(tmp_path, start):
    for server in (
        start("--token", "sesame"),
        start("--token-file", write(tmp_path, "sesame\n", name="token")),
        start(env={"MARTLET_TOKEN": "sesame"}),
        start(env={"MARTLET_TOKEN_FILE": str(write(tmp_path, "sesame", name="token2"))}),
        start("--config", write(tmp_path, {"token": "sesame"})),
        start("--insecure", "--token", "sesame"),  # lifts the refusal to listen in public, not the token
    ):
        refused = server.get("/json")
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert server.get("/json", headers=bearer("Sesame")).status_code == 401
        assert server.get("/json", headers={"Authorization": "Basic sesame"}).status_code == 401
        assert server.get("/json", headers=bearer("sesame")).status_code == 200
        assert server.get("/healthz").status_code == 200
        assert server.get("/readyz").status_code == 200


def test_a_token_file_loses_one_newline_and_no_more(tmp_path, start):
    assert start("--token-file", write(tmp_path, "sesame\n", name="one")).get("/json", headers=bearer("sesame")).status_code == 200
    # What remains of two newlines cannot stand in a header: it is refused at once, or never matches.
    path = write(tmp_path, "sesame\n\n", name="two")
    server = Server(["--token-file", path])
    try:
        server.start()
    except AssertionError:
        assert_refused(run("serve", "--http", "127.0.0.1:0", "--token-file", path), "token")
    else:
        with server:
            assert server.get("/json", headers=bearer("sesame")).status_code == 401


# Listening in public


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_it_refuses_to_listen_beyond_loopback_without_a_token(address):
    result = run("serve", "--http", address)
    assert_refused(result, "--http")
    assert "token" in result.stderr and "--insecure" in result.stderr


def test_it_listens_beyond_loopback_with_a_token_or_when_told_that_it_is_insecure(start):
    assert start("--token", "sesame", http="0.0.0.0:0").listeners["http"].startswith("0.0.0.0:")
    assert start("--insecure", http="0.0.0.0:0").listeners["http"].startswith("0.0.0.0:")
    assert start(http="0.0.0.0:0", env={"MARTLET_INSECURE": "1"}).listeners["http"].startswith("0.0.0.0:")
