-- One bounded step of an audit of the table, of one moment. ARGV: epoch, part, index, cursor or
-- score, member, count. Parts: 'feed'; 'counts'; 'rows' and 'staged' are hashes; 'merged' and 'shadow' are indexes.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= ARGV[1] then return answer('FENCED', t) end
local part, index, at, member, count = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], tonumber(ARGV[6])
t.last = ''
local a = answer('OK', t)

local function counts()
  a[10] = {t.count, t.staged, t.live}
  a[11] = {whole(redis.call('HLEN', ROWS)), whole(redis.call('HLEN', STAGED))}
  a[12], a[13] = {}, {}
  for j = 1, INDEXES do
    a[12][j], a[13][j] = whole(redis.call('ZCARD', merged(j))), whole(redis.call('ZCARD', shadow(j)))
  end
end

-- hash brings rows with their scores in each index; '' where there is none.
local function hash(key, index)
  local found = redis.call('HSCAN', key, at, 'COUNT', count)
  local keys, rows, scores = {}, {}, {}
  for i = 1, #found[2], 2 do
    keys[#keys + 1], rows[#rows + 1] = found[2][i], found[2][i + 1]
  end
  for j = 1, INDEXES do
    scores[j] = {}
    for i = 1, #keys do scores[j][i] = redis.call('ZSCORE', index(j), keys[i]) or '' end
  end
  a[10], a[11], a[12], a[13], a[14] = found[1], keys, rows, scores, t.building
end

-- zset brings entries that have no row. With tombs a tombstone does not count as a row.
local function zset(key, rows, tombs)
  local from = 0
  if at ~= '' then
    local _, after = rank(key, at, member)
    from = after
  end
  local found = redis.call('ZRANGE', key, from, from + count - 1, 'WITHSCORES')
  local orphans = {}
  for i = 1, #found, 2 do
    local row = redis.call('HGET', rows, found[i])
    if not row or (tombs and tombstone(row)) then orphans[#orphans + 1] = found[i] end
  end
  a[10], a[11], a[12] = found[#found] or '', found[#found - 1] or '', orphans
end

if part == 'feed' then a[10] = inStep(t) and '1' or '0'
elseif part == 'counts' then counts()
elseif part == 'rows' then hash(ROWS, merged)
elseif part == 'staged' then hash(STAGED, shadow)
elseif part == 'merged' then zset(merged(index), ROWS, false)
else zset(shadow(index), STAGED, true) end
return a
