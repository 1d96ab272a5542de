-- What deletions and discards by place share. No row leaves the server. ARGV after the common ones: index, entries to look at in each set
-- at most, bytes of a body at most, interval to begin with, score and member to go on behind or '', how many keys are passed over, these
-- keys, then min, max of each interval.
-- The small reply: how many were removed, bytes of the entry's body, where to go on: interval (0: it is done), score, member. It stays
-- in the truth: a step that is settled gives the same answer.
local index, most, room, at, score, member, passed = unpack(ARGV, COMMON + 1, COMMON + 7)
index, most, room, passed = tonumber(index), tonumber(most), tonumber(room), tonumber(passed)
local FIRST = COMMON + 8 + passed

local over = {}
for i = FIRST - passed, FIRST - 1 do over[ARGV[i]] = true end

-- source returns the next entries of one set between min and max, n at most, and their ranks: from, and to, which is behind the last.
-- Where others may come behind the last one, goesOn is true, and member and score are those of the last one.
local function source(set, min, max, n)
  local from, to, _ = 0, redis.call('ZCOUNT', set, '-inf', max)
  if score ~= '' then
    _, from = rank(set, score, member)
  elseif min ~= '-Inf' then
    from = redis.call('ZCOUNT', set, '-inf', '(' .. min)
  end
  if to > from + n then to = from + n end
  if to <= from then return {set = set, members = {}, from = from, to = from} end
  local s = {set = set, members = redis.call('ZRANGE', set, from, to - 1), from = from, to = to}
  if to == from + n then
    s.goesOn, s.member = true, s.members[n]
    s.score = redis.call('ZSCORE', set, s.member)
  end
  return s
end

-- cut drops from a source what comes behind the last entry of another one, if that goes on.
local function cut(s, other)
  if not other.goesOn then return end
  local _, behind = rank(s.set, other.score, other.member)
  if behind < s.to then s.to, s.goesOn = behind > s.from and behind or s.from, false end
end

-- unstaged returns those of some members that have no staged entry. Rows are not looked at: they may be large.
local function unstaged(t, members)
  if t.live == '0' then return members end
  local staged, rest = redis.call('ZMSCORE', shadow(index), unpack(members)), {}
  for i = 1, #staged do
    if not staged[i] then rest[#rest + 1] = members[i] end
  end
  return rest
end

-- visible returns those of a source of merged entries that nothing staged hides.
local function visible(t, s)
  if s.from == s.to then return {} end
  local members = {unpack(s.members, 1, s.to - s.from)}
  if t.staged == '0' then return members end
  local rest, seen = unstaged(t, members), {}
  if #rest == 0 then return rest end
  local tombs = redis.call('HMGET', STAGED, unpack(rest))
  for i = 1, #rest do
    if not tombs[i] then seen[#seen + 1] = rest[i] end
  end
  return seen
end

-- found returns the next keys; those of them that are staged; which ranks of merged entries were gone through; and where to go on, in the
-- words of the small reply. Both sets are gone through up to the same entry: what a merge now would show has one order.
local function found(t)
  local keys, staged, ranks, left, interval = {}, {}, {}, most, tonumber(at)
  local function add(members, to, also)
    for i = 1, to do
      local key = members[i]
      if not over[key] then
        keys[#keys + 1] = key
        if also then also[#also + 1] = key end
      end
    end
  end
  while FIRST + 2 * interval <= #ARGV + 1 do
    local min, max = ARGV[FIRST + 2 * interval - 2], ARGV[FIRST + 2 * interval - 1]
    local above, below = source(shadow(index), min, max, left), source(merged(index), min, max, t.whole and 0 or left)
    cut(below, above)
    cut(above, below)
    local own, seen = above.to - above.from, visible(t, below)
    add(above.members, own, staged)
    add(seen, #seen)
    if below.to > below.from then ranks[#ranks + 1] = {below.from, below.to - 1} end
    local last, taken = above.goesOn and above or below, below.to - below.from
    if last.goesOn then return keys, staged, ranks, whole(interval) .. ' ' .. last.score .. ' ' .. last.member end
    left, interval, score = left - (taken > own and taken or own), interval + 1, ''
  end
  return keys, staged, ranks, '0  '
end

-- tellKeys tells what becomes of keys, also of none. The body is the length of each key, in four bytes, and its bytes.
local function tellKeys(kind, keys)
  if TRIM == 'off' then return end
  local size, parts, heads = 4 * #keys, {}, {}
  for i = 1, #keys do
    local key = keys[i]
    local n = #key
    local head = heads[n]
    if not head then head = u32(n) heads[n] = head end
    size, parts[2 * i - 1], parts[2 * i] = size + n, head, key
  end
  if size > room then
    tell(kind, SEQ, string.rep('1', #keys))
    return
  end
  BODY = table.concat(parts)
  append(EPOCH, SEQ, TRIM, 'p', PREV, 'k', kind, 'v', string.rep('1', #keys), 'b', BODY)
end

-- swept ends a step in which so many keys were removed.
local function swept(t, n, place) return done(t, whole(n) .. ' ' .. #BODY .. ' ' .. place) end
