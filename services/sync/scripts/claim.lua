-- Take a session over: whoever has a smaller fence may not commit from here on. A Redis that came back with less than
-- the caller has emitted is told; what lies at or below the watermark goes.
-- KEYS: waiting (sorted set), poses (hash), meta (hash)
-- ARGV: fence, watermark known to the caller, sets known to the caller, life (s)
-- Returns: {} when fenced, else the fields and values of meta.
local meta = KEYS[3]
local head = redis.call('HMGET', meta, 'f', 'w', 's')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return {} end
local watermark, sets = head[2] or '0', head[3] or '0'
if tonumber(ARGV[2]) > tonumber(watermark) then watermark = ARGV[2] end
if tonumber(ARGV[3]) > tonumber(sets) then sets = ARGV[3] end
redis.call('HSET', meta, 'f', ARGV[1], 'w', watermark, 's', sets)
local stale = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', watermark)
for _, member in ipairs(stale) do
  redis.call('ZREM', KEYS[1], member)
  redis.call('HDEL', KEYS[2], member)
end
redis.call('EXPIRE', meta, ARGV[4])
return redis.call('HGETALL', meta)
