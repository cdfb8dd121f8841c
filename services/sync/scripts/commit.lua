-- Emit groups: the sets to the output, their frames out of the store, the watermark up; all of it or nothing.
-- KEYS: waiting (sorted set), poses (hash), meta (hash), out (stream)
-- ARGV: fence, watermark before, watermark after, sets before, sets kept, life (s), number of sets, number of members,
--       then the sets, then 3 for each member (member, camera, epoch:sequence), then members to forget.
-- Returns: {1, position of the last set} or {0, why}: fenced, moved, gone.
local meta = KEYS[3]
local head = redis.call('HMGET', meta, 'f', 'w', 's')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return {0, 'fenced'} end
if (head[2] or '0') ~= ARGV[2] or (head[3] or '0') ~= ARGV[4] then return {0, 'moved'} end
local sets, members = tonumber(ARGV[7]), tonumber(ARGV[8])
local first = 9 + sets
local last = first + 3 * members - 1
-- One call for all members, not one each. SyncSettings.most_frames keeps them below what unpack can take.
local names, newest = {}, {}
for i = first, last, 3 do
  names[#names + 1] = ARGV[i]
  newest[ARGV[i + 1]] = ARGV[i + 2]
end
local done = {'f', ARGV[1], 'w', ARGV[3], 's', ARGV[4] + sets}
for camera, frame in pairs(newest) do
  done[#done + 1] = 'e:' .. camera
  done[#done + 1] = frame
end
if members > 0 then
  for _, score in ipairs(redis.call('ZMSCORE', KEYS[1], unpack(names))) do
    if not score then return {0, 'gone'} end
  end
end
for i = last + 1, #ARGV do names[#names + 1] = ARGV[i] end
local position = ''
for i = 9, 8 + sets do
  position = redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], '*', 'set', ARGV[i])
end
if #names > 0 then
  redis.call('ZREM', KEYS[1], unpack(names))
  redis.call('HDEL', KEYS[2], unpack(names))
end
redis.call('HSET', meta, unpack(done))
redis.call('EXPIRE', KEYS[4], ARGV[6])
return {1, position}
