-- KEYS: the message. ARGV: owner, fingerprint, lease in µs, for how long a claim is kept in ms.
local held = redis.call('HMGET', KEYS[1], 'owner', 'fingerprint', 'lease_end', 'response')
if held[4] then
    return {'done', held[2], held[4]}
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if held[1] and held[1] ~= ARGV[1] and now < tonumber(held[3]) then
    return {'busy', held[2], held[3]}
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'fingerprint', ARGV[2],
    'claimed_at', string.format('%.0f', now), 'lease_end', string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'owned'}
