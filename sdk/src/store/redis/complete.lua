-- KEYS: the message. ARGV: owner, response, for how long it is remembered in ms.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
    return {'fenced'}
end
if redis.call('HEXISTS', KEYS[1], 'response') == 0 then
    redis.call('HSET', KEYS[1], 'response', ARGV[2])
    redis.call('HDEL', KEYS[1], 'claimed_at', 'lease_end')
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {'stored'}
