-- What scripts of numbered effects share. ARGV: epoch, prev, seq, ...

-- What the script is going to write with, and where.
local writes = {{'HSET', TRUTH, '0', '0'}}
local function needs(command, key) writes[#writes + 1] = {command, key, '0', '0'} end
local function needsUnlink(key) writes[#writes + 1] = {'UNLINK', key} end
local function needsEach(command, index)
  for j = 1, INDEXES do needs(command, index(j)) end
end
local function needsUnlinkEach(index)
  for j = 1, INDEXES do needsUnlink(index(j)) end
end

-- barred returns the server's refusal of the first of these writes that its user is not permitted (any more). It is asked
-- before the first write, which would not be taken back.
local function barred()
  if not redis.acl_check_cmd then return nil end
  for i = 1, #writes do
    if not redis.acl_check_cmd(unpack(writes[i])) then return redis.pcall(unpack(writes[i])) end
  end
end

-- gate returns the table's truth if this effect may run, else the answer to give.
local function gate(a, b, c)
  local t = truth()
  if not t[1] then return nil, answer('LOST', t) end
  if t[1] ~= ARGV[1] then return nil, answer('FENCED', t) end
  local now = tonumber(t[2])
  if now == tonumber(ARGV[3]) then return nil, answer('OK', t) end
  if now > tonumber(ARGV[3]) then return nil, answer('VOID', t) end
  if now < tonumber(ARGV[2]) or not holds(t) then return nil, answer('LOST', t) end
  if t[5] ~= a and t[5] ~= b and t[5] ~= c then return nil, answer('STATE', t) end
  local no = barred()
  if no then return nil, no end
  return t
end

-- save writes the truth down, with what there is to count now.
local function save(t)
  t[7], t[8], t[9] = redis.call('HLEN', ROWS), redis.call('HLEN', STAGED), redis.call('ZCARD', shadow(1))
  redis.call('HSET', TRUTH, 'seq', t[2], 'last', t[3], 'gen', t[4], 'state', t[5], 'rver', t[6],
    'count', whole(t[7]), 'staged', whole(t[8]), 'live', whole(t[9]))
end

-- done ends a numbered effect, and keeps its small reply for whoever asks again.
local function done(t, last)
  t[2], t[3] = ARGV[3], last
  save(t)
  return answer('OK', t)
end

-- disturb counts a change of what readers see.
local function disturb(t) t[6] = whole(tonumber(t[6]) + 1) end

-- fill stores rows and scores. ARGV[4] rows, none with more than ARGV[5] bytes; then key, row ...; then for each index
-- score, key ...
local function fill(hash, index)
  local n = 2 * tonumber(ARGV[4])
  redis.call('HSET', hash, unpack(ARGV, 6, 5 + n))
  for j = 1, INDEXES do
    redis.call('ZADD', index(j), unpack(ARGV, 6 + j * n, 5 + (j + 1) * n))
  end
  if tonumber(ARGV[5]) > tonumber(redis.call('HGET', TRUTH, 'widest')) then
    redis.call('HSET', TRUTH, 'widest', ARGV[5])
  end
end

-- remove takes keys out of every index.
local function remove(index, keys)
  for first = 1, #keys, LOOK do
    local last = first + LOOK - 1
    if last > #keys then last = #keys end
    for j = 1, INDEXES do redis.call('ZREM', index(j), unpack(keys, first, last)) end
  end
end

local function drop(index)
  for j = 1, INDEXES do redis.call('UNLINK', index(j)) end
end
