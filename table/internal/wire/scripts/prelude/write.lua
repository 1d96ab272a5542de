-- What the scripts that write share.

-- writes are the commands that the script is going to write with, and their keys.
local writes = {{'HSET', TRUTH, '0', '0'}}
local function needs(command, key) writes[#writes + 1] = {command, key, '0', '0'} end
local function needsUnlink(key) writes[#writes + 1] = {'UNLINK', key} end
local function needsEach(command, index)
  for j = 1, INDEXES do needs(command, index(j)) end
end
local function needsUnlinkEach(index)
  for j = 1, INDEXES do needsUnlink(index(j)) end
end

-- barred returns the server's refusal if the user may not use one of these commands (any more). A script calls it before its first
-- write, which Redis would not roll back.
local function barred()
  if not redis.acl_check_cmd then return nil end
  for i = 1, #writes do
    if not redis.acl_check_cmd(unpack(writes[i])) then return redis.pcall(unpack(writes[i])) end
  end
end

-- admit returns the table's truth if this numbered effect may run in one of these states. Else it returns the answer to give as
-- second value.
-- ARGV: epoch, prev, seq, ...
local function admit(a, b, c)
  local t = readTruth()
  if not t.epoch then return nil, answer('LOST', t) end
  if t.epoch ~= ARGV[1] then return nil, answer('FENCED', t) end
  local now = tonumber(t.seq)
  if now == tonumber(ARGV[3]) then return nil, answer('OK', t) end
  if now > tonumber(ARGV[3]) then return nil, answer('VOID', t) end
  if now < tonumber(ARGV[2]) or not holds(t) then return nil, answer('LOST', t) end
  if t.state ~= a and t.state ~= b and t.state ~= c then return nil, answer('STATE', t) end
  local no = barred()
  if no then return nil, no end
  return t
end

-- recount stores the truth with the counts as they are now.
local function recount(t)
  t.count, t.staged = whole(redis.call('HLEN', ROWS)), whole(redis.call('HLEN', STAGED))
  t.live = whole(redis.call('ZCARD', shadow(1)))
  writeTruth(t)
end

-- done ends a numbered effect. It stores the small reply for the case that the effect is sent again or settled.
local function done(t, last)
  t.seq, t.last = ARGV[3], last
  recount(t)
  return answer('OK', t)
end

-- disturb notes a change of what readers see.
local function disturb(t) t.rver = whole(tonumber(t.rver) + 1) end

-- fill stores rows and scores. ARGV[4] is how many rows, ARGV[5] the bytes of the widest; then key, row ...; then for each index
-- score, key ...
local function fill(t, hash, index)
  local n = 2 * tonumber(ARGV[4])
  redis.call('HSET', hash, unpack(ARGV, 6, 5 + n))
  for j = 1, INDEXES do
    redis.call('ZADD', index(j), unpack(ARGV, 6 + j * n, 5 + (j + 1) * n))
  end
  if tonumber(ARGV[5]) > tonumber(t.widest) then t.widest = ARGV[5] end
end

-- remove takes keys out of every index.
local function remove(index, keys)
  for first = 1, #keys, MOST do
    local to = first + MOST - 1
    if to > #keys then to = #keys end
    for j = 1, INDEXES do redis.call('ZREM', index(j), unpack(keys, first, to)) end
  end
end

-- drop removes every index.
local function drop(index)
  for j = 1, INDEXES do redis.call('UNLINK', index(j)) end
end
