-- What every script shares behind base.lua.
local function whole(n) return string.format('%.0f', n) end

-- tombstone tells whether a staged row only hides a merged one: it is a generation and no more.
local function tombstone(row) return #row == 4 end

-- Two states have a second form, in which what is staged stands for the whole table: no row is a tombstone, and the merged rows are
-- replaced all at once. Then t.whole is true, and t.state is the state without this addition.
local function readState(t)
  local state = string.match(t.state, '^(active)%-whole$') or string.match(t.state, '^(merging)%-whole$')
  if state then t.state, t.whole = state, true end
end

-- stateWord returns what readState has read. The clear state has one form alone.
local function stateWord(t)
  if t.whole and t.state ~= 'clear' then return t.state .. '-whole' end
  return t.state or ''
end

-- readTruth returns the truth by the names of its fields, its state as readState reads it. It returns an empty table if a field is
-- missing, or is no number although it must be one: a script must find that out before its first write.
local function readTruth()
  local values, t = redis.call('HMGET', TRUTH, unpack(FIELDS)), {}
  for i = 1, #FIELDS do
    local value = values[i] or (FIELDS[i] == 'building' and '0') -- that of version 5 had no such field
    if not value or (i > WORDS and not string.find(value, '^%d+$')) then return {} end
    t[FIELDS[i]] = value
  end
  readState(t)
  return t
end

-- writeTruth stores all fields of the truth.
local function writeTruth(t)
  local pairs = {}
  for i = 1, #FIELDS do pairs[2 * i - 1], pairs[2 * i] = FIELDS[i], FIELDS[i] == 'state' and stateWord(t) or t[FIELDS[i]] end
  redis.call('HSET', TRUTH, unpack(pairs))
end

local function number(s)
  if s == 'inf' then return 1 / 0 elseif s == '-inf' then return -1 / 0 end
  return tonumber(s)
end

-- folded returns how many rows the fold has copied, and the words that this stands behind in the field fold of the truth. It is
-- written in one step with the rows: what the server loses of the one it loses of the other. It counts for this owner and this version
-- only, so after a take-over, and after Repair, which may move entries, all is copied again.
local function folded(t)
  local stand, noted = t.epoch .. ' ' .. t.gen .. ' ' .. t.rver .. ' ', redis.call('HGET', TRUTH, 'fold') or ''
  if string.sub(noted, 1, #stand) ~= stand then return 0, stand end
  return tonumber(string.sub(noted, #stand + 1)), stand
end

local function entryId(epoch, seq) return string.match(epoch, '^%d+') .. '-' .. seq end

-- inStep tells whether the feed, if there is one, ends with the entry of the table's number.
local function inStep(t)
  local id = entryId(t.epoch, t.seq)
  local last = redis.call('XRANGE', FEED, id, '+', 'COUNT', '2')
  if #last ~= 1 then return #last == 0 and redis.call('EXISTS', FEED) == 0 end
  local fields = last[1][2]
  for i = 1, #fields, 2 do
    if fields[i] == 'e' then return last[1][1] == id and fields[i + 1] == t.epoch end
  end
  return false
end

local function answer(status, t)
  return {status, t.epoch or '', t.last or '', stateWord(t), t.seq or '', t.gen or '', t.rver or '', t.burns or '', t.notes or ''}
end
