-- KEYS: the message. ARGV: owner, lease in µs, the longest lease in µs.
local held = redis.call('HMGET', KEYS[1], 'owner', 'claimed_at', 'lease_end')
if held[1] ~= ARGV[1] or not held[2] then
    return {'fenced'}
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local renewed = math.min(now + ARGV[2], held[2] + ARGV[3])
if now >= renewed then
    return {'exhausted'}
end
local lease_end = string.format('%.0f', math.max(renewed, tonumber(held[3])))
redis.call('HSET', KEYS[1], 'lease_end', lease_end)
return {'renewed', lease_end}
