-- KEYS: the record of an endpoint's senders. ARGV: it as it was, it as it shall be; as it was is empty where there was none.
local held = redis.call('GET', KEYS[1])
if (held or '') ~= ARGV[1] then
    return {'changed'}
end
redis.call('SET', KEYS[1], ARGV[2])
return {'replaced'}
