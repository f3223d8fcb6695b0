-- What wrk sends: `wrk … -s wrk.lua URL -- DEPTH [KEYS]`.
-- Without KEYS the URL's own path, DEPTH requests in one write. With KEYS, GETs of keys 0 … KEYS-1 in a scattered order that
-- visits every key. All of it is written out before the clock starts, so that the client does little beside sending.

local texts, count, next_text = {}, 0, 0

function init(arguments)
  local depth, keys = tonumber(arguments[1] or 1), tonumber(arguments[2] or 0)
  if keys == 0 then
    texts[1] = string.rep(wrk.format("GET"), depth)
    count = 1
    return
  end
  local at, parts = 0, {}
  for i = 1, keys do
    at = (at + 7368787) % keys  -- a prime: coprime with any number of keys that it does not divide
    parts[#parts + 1] = wrk.format("GET", string.format("/v1/cache/key:%012d", at))
    if #parts == depth or i == keys then
      texts[#texts + 1] = table.concat(parts)
      parts = {}
    end
  end
  if keys % depth ~= 0 then texts[#texts] = nil end  -- wrk counts replies by itself, but a short text would be less deep
  count = #texts
  collectgarbage("collect")
end

function request()
  next_text = next_text % count + 1
  return texts[next_text]
end
