-- KEYS: the message. ARGV: owner.
local held = redis.call('HMGET', KEYS[1], 'owner', 'claimed_at')
if held[1] ~= ARGV[1] or not held[2] then
    return {'fenced'}
end
redis.call('DEL', KEYS[1])
return {'released'}
