-- One page of a read. ARGV: layout, gen and rver of the snapshot or '', scope, index, entries at most,
-- bytes at most, rows to fetch at first, 'up' or 'down', score and member to go on behind or '',
-- 'scores' or '', then min, max of each interval, in reading order.
-- Answers with the interval to go on in (0: this is the last page), score, member, lists of members, of rows, of scores.
local t, view, no = present(ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]))
if no then return no end
local index, most, budget, chunk = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local up, score, member, scored = ARGV[9] == 'up', ARGV[10], ARGV[11], ARGV[12] == 'scores'
local FIRST = 13

-- fitting returns how many rows to fetch at once: n, but no more than fit the page even if all are as wide as the widest.
local widest = tonumber(t.widest)
local function fitting(n)
  if n * widest > budget then n = budget / widest end
  if n < 1 then return 1 elseif n > MOST then return MOST end
  return n - n % 1
end
chunk = fitting(chunk)

local function reply(stop, atScore, atMember, members, rows, scores)
  local a = answer('OK', t)
  a[10], a[11], a[12], a[13], a[14], a[15] = stop, atScore, atMember, members, rows, scores
  return a
end

-- ranks returns the ranks of what is left of an interval: the first, and the one behind the end.
local function ranks(key, min, max, fresh)
  local from, to
  if min == '-Inf' then from = 0 else from = redis.call('ZCOUNT', key, '-inf', '(' .. min) end
  to = redis.call('ZCOUNT', key, '-inf', max)
  if not fresh then
    local before, after = rank(key, score, member)
    if up then from = after > from and after or from else to = before < to and before or to end
  end
  return from, to
end

-- plain reads a page of rows that none lie over.
local function plain()
  local key = view.index(index)
  local lists, chunks, scores, taken, bytes = {}, {}, {}, 0, 0

  -- list returns members. It notes their scores if these are wanted.
  local function list(...)
    if not scored then return redis.call('ZRANGE', key, ...) end
    local args = {...}
    args[#args + 1] = 'WITHSCORES'
    local found, members, theirs = redis.call('ZRANGE', key, unpack(args)), {}, {}
    for i = 1, #found / 2 do members[i], theirs[i] = found[2 * i - 1], found[2 * i] end
    scores[#scores + 1] = theirs
    return members
  end

  local function slice(min, max, fresh)
    local limit = most - taken
    if fresh and up then return list(min, max, 'BYSCORE', 'LIMIT', 0, limit) end
    if fresh then return list(max, min, 'BYSCORE', 'REV', 'LIMIT', 0, limit) end
    local from, to = ranks(key, min, max, fresh)
    if from >= to then return {} end
    if up then
      if to > from + limit then to = from + limit end
      return list(from, to - 1)
    end
    if from < to - limit then from = to - limit end
    local card = view.count
    return list(card - to, card - 1 - from, 'REV')
  end

  -- fetch adds rows of members from i on. It returns the number of the last one, or nil if a row is missing.
  local function fetch(members, i)
    local j = i + chunk - 1
    if j > #members then j = #members end
    local rows = redis.call('HMGET', view.rows, unpack(members, i, j))
    for k = 1, #rows do
      if not rows[k] then return nil end
      bytes = bytes + #rows[k]
    end
    chunks[#chunks + 1] = rows
    taken = taken + j - i + 1
    chunk = fitting((budget - bytes) * taken / (bytes + 1) + 1)
    return j
  end

  for k = FIRST, #ARGV, 2 do
    local members = slice(ARGV[k], ARGV[k + 1], score == '')
    score = ''
    lists[#lists + 1] = members
    local j = 0
    while j < #members do
      j = fetch(members, j + 1)
      if not j then return answer('LOST', t) end
      if (bytes >= budget and (j < #members or k + 1 < #ARGV)) or taken >= most then
        return reply((k - FIRST) / 2 + 1, redis.call('ZSCORE', key, members[j]), members[j], lists, chunks, scores)
      end
    end
  end
  return reply(0, '', '', lists, chunks, scores)
end

-- A source reads one sorted set, some entries at a time. hides tells that staged rows hide its entries.
local function source(key, min, max, fresh, hides)
  local from, to = ranks(key, min, max, fresh)
  return {key = key, from = from, to = to, hides = hides, at = 1, n = 0}
end

local function refill(s)
  local from, to = s.from, s.to
  if up then
    if to > from + chunk then to = from + chunk end
    s.from = to
  else
    if from < to - chunk then from = to - chunk end
    s.to = from
  end
  local found = redis.call('ZRANGE', s.key, from, to - 1, 'WITHSCORES')
  s.members, s.scores, s.at, s.n = {}, {}, 1, #found / 2
  for i = 1, s.n do
    local p = up and 2 * i - 1 or #found - 2 * i + 1
    s.members[i], s.scores[i] = found[p], found[p + 1]
  end
  s.staged = redis.call('HMGET', STAGED, unpack(s.members))
  if s.hides then s.rows = redis.call('HMGET', ROWS, unpack(s.members)) else s.rows = s.staged end
end

-- peek tells whether the source has an entry left. It reads more if it must.
local function peek(s)
  if s.at > s.n and s.from < s.to then refill(s) end
  return s.at <= s.n
end

-- ahead tells whether a's entry comes before b's, in reading order.
local function ahead(a, b)
  if not up then a, b = b, a end
  local x, y = number(a.scores[a.at]), number(b.scores[b.at])
  if x ~= y then return x < y end
  return less(a.members[a.at], b.members[b.at])
end

-- overlay reads a page of staged rows over merged ones.
local function overlay()
  local members, rows, scores, looked, bytes = {}, {}, {}, 0, 0
  if chunk > 64 then chunk = 64 end
  for k = FIRST, #ARGV, 2 do
    local fresh = score == ''
    local a = source(merged(index), ARGV[k], ARGV[k + 1], fresh, true)
    local b = source(shadow(index), ARGV[k], ARGV[k + 1], fresh, false)
    score = ''
    while true do
      local more, also = peek(a), peek(b)
      if not more and not also then break end
      if looked >= 2000 or #members >= most or bytes >= budget then
        return reply((k - FIRST) / 2 + 1, score, member, {members}, {rows}, {scores})
      end
      local s = b -- also if both have the same key: b's row counts, and the next page goes on behind both
      if more and (not also or ahead(a, b)) then s = a end
      local i = s.at
      s.at, looked, score, member = i + 1, looked + 1, s.scores[i], s.members[i]
      if not (s.hides and s.staged[i]) then
        if not s.rows[i] then return answer('LOST', t) end
        members[#members + 1], rows[#rows + 1], scores[#scores + 1] = member, s.rows[i], score
        bytes = bytes + #s.rows[i]
      end
    end
    score = ''
  end
  return reply(0, '', '', {members}, {rows}, {scores})
end

if view.over then return overlay() end
return plain()
