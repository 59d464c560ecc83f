-- KEYS: the message. Returns its fields and for how long they are kept in ms.
local held = redis.call('HMGET', KEYS[1], 'owner', 'fingerprint', 'claimed_at', 'lease_end', 'response')
local time = redis.call('TIME')
local expires_at = time[1] * 1000000 + time[2] + redis.call('PTTL', KEYS[1]) * 1000
if not held[1] then
    return {}
end
if held[5] then
    return {'done', held[1], held[2], string.format('%.0f', expires_at), held[5]}
end
return {'running', held[1], held[2], held[3], held[4]}
