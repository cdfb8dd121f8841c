-- Store poses at a replica that does not hold the session, and announce them to the one that does: each once, none at or
-- below the watermark, no more than the session may hold.
-- KEYS: waiting (sorted set), poses (hash), meta (hash)
-- ARGV: channel of arrivals, most frames, life (s), then 7 for each frame:
--       member, time (us), camera, epoch, sequence, arrival (us), pose
-- Returns: watermark, poses dropped for room, then one code for each frame.
-- Numbers above 2^53 never occur; times stay strings, since Lua would print them rounded.
local STORED, LATE, DUPLICATE = 1, 2, 3
local meta = KEYS[3]
local head = redis.call('HMGET', meta, 'w', 'n')
local watermark, announced = tonumber(head[1] or '-1'), tonumber(head[2] or '0')
local answer = {head[1] or '0', 0}
for i = 4, #ARGV, 7 do
  local member, time, camera, epoch, sequence = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local code = STORED
  local done = redis.call('HGET', meta, 'e:' .. camera)
  local done_epoch, done_sequence
  if done then
    done_epoch, done_sequence = string.match(done, '(%d+):(%d+)')
    done_epoch, done_sequence = tonumber(done_epoch), tonumber(done_sequence)
  end
  if done and tonumber(epoch) == done_epoch and tonumber(sequence) == done_sequence then
    code = DUPLICATE
  elseif tonumber(time) <= watermark then
    code = LATE
  elseif done and (tonumber(epoch) < done_epoch
      or (tonumber(epoch) == done_epoch and tonumber(sequence) < done_sequence)) then
    code = LATE
  elseif redis.call('ZADD', KEYS[1], 'NX', time, member) == 0 then
    code = DUPLICATE
  else
    redis.call('HSET', KEYS[2], member, ARGV[i + 6])
    announced = announced + 1
    redis.call('HSET', meta, 'n', announced, 'l:' .. camera, ARGV[i + 5])
    redis.call('PUBLISH', ARGV[1],
      announced .. '|' .. time .. '|' .. ARGV[i + 5] .. '|' .. #member .. '|' .. member .. ARGV[i + 6])
  end
  answer[#answer + 1] = code
end
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[1], over)
  for i = 1, #oldest, 2 do redis.call('HDEL', KEYS[2], oldest[i]) end
  answer[2] = over
end
for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
return answer
