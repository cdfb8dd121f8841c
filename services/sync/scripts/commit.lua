-- The holder's turn: new poses in, sets out, the watermark up; all of it or nothing. A pose that leaves in the turn it
-- came in is in its set's bytes and is never stored by itself.
-- It also renews the holder's lease: while sets leave, nothing else need do so.
-- KEYS: waiting (sorted set), poses (hash), meta (hash), out (stream), lease (hash)
-- ARGV: fence, watermark before, sets before, sets kept, life (s), most frames, life of the lease (ms),
--       how many sets, poses to forget, stored poses that leave, new ones that leave, new ones that stay;
--       then the sets, the names of those poses in this order, time (us) and name of each that stays, name and bytes of
--       each that stays, and the fields of meta to set with their values.
-- Returns: {1, 1 if the lease was still held and is renewed, else 0, poses announced so far, poses dropped for room, then
--          for each new pose 1 where another replica had stored it before, else 0}, or {0, why}: fenced, moved, gone.
-- Calls take whole stretches of ARGV. SyncSettings.most_frames keeps these below what unpack can take.
local waiting, poses, meta, out = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local head = redis.call('HMGET', meta, 'f', 'w', 's', 'n')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return {0, 'fenced'} end
if (head[2] or '0') ~= ARGV[2] or (head[3] or '0') ~= ARGV[3] then return {0, 'moved'} end
local sets, forget, stored = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local leave = forget + stored + tonumber(ARGV[11])
local stay = tonumber(ARGV[12])
local names = 13 + sets
local times = names + leave + stay
local bytes = times + 2 * stay
local fields = bytes + 2 * stay

local known = {}
if leave + stay > 0 then known = redis.call('ZMSCORE', waiting, unpack(ARGV, names, times - 1)) end
for i = forget + 1, forget + stored do
  if not known[i] then return {0, 'gone'} end
end
local over, there, renewed = 0, false, 0
for i = 13, 12 + sets do
  redis.call('XADD', out, 'MAXLEN', '~', ARGV[4], '*', 'set', ARGV[i])
end
for i = 1, leave do there = there or known[i] end
if there then
  redis.call('ZREM', waiting, unpack(ARGV, names, names + leave - 1))
  redis.call('HDEL', poses, unpack(ARGV, names, names + leave - 1))
end
if stay > 0 then
  redis.call('ZADD', waiting, unpack(ARGV, times, bytes - 1))
  redis.call('HSET', poses, unpack(ARGV, bytes, fields - 1))
  over = math.max(0, redis.call('ZCARD', waiting) - tonumber(ARGV[6]))
  if over > 0 then
    local oldest = redis.call('ZPOPMIN', waiting, over)
    for i = 1, #oldest, 2 do redis.call('HDEL', poses, oldest[i]) end
  end
end
redis.call('HSET', meta, unpack(ARGV, fields))
for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[5]) end
if redis.call('HGET', KEYS[5], 'token') == ARGV[1] then renewed = redis.call('PEXPIRE', KEYS[5], ARGV[7]) end
local answer = {1, renewed, tonumber(head[4] or '0'), over}
for i = forget + stored + 1, leave + stay do answer[#answer + 1] = known[i] and 1 or 0 end
return answer
