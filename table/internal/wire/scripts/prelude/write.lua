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

-- needsReplacing is what puts staged rows in the place of all merged ones.
local function needsReplacing()
  needsUnlink(ROWS)
  writes[#writes + 1] = {'RENAME', STAGED, ROWS}
  for j = 1, INDEXES do
    needsUnlink(merged(j))
    writes[#writes + 1] = {'RENAME', shadow(j), merged(j)}
  end
end

-- onTheMove returns the server's refusal if the table's slot is being moved to another node. There each command on a key that is missing
-- is refused, also on one that this script has removed. So it is tried on a key that is never there: no index has such a name. (A user
-- who may not ask for it is refused in other words.)
local function onTheMove()
  local said = redis.pcall('EXISTS', TRUTH, KEYS[#KEYS] .. '!')
  if tonumber(said) then return nil end
  local function says(words) return string.find(said.err or '', words, 1, true) end
  if says('access a non local key') or says('during rehashing of the slot') then return said end -- see wire/refusal.go
end

-- barred returns the server's refusal if the table's slot is being moved, or if the user may not use one of these commands (any more). A
-- script calls it before its first write, which Redis would not roll back.
local function barred()
  local no = onTheMove()
  if no or not redis.acl_check_cmd then return no end
  for i = 1, #writes do
    if not redis.acl_check_cmd(unpack(writes[i])) then return redis.pcall(unpack(writes[i])) end
  end
end

-- What every numbered effect is given first. ARGV: epoch, prev, seq, the state that it starts from, the id of the first entry of the
-- feed that stays ('': all stay; 'off': there is no feed), the body of the effect's entry or ''. COMMON is how many these are.
local EPOCH, PREV, SEQ, STATE, TRIM, BODY, COMMON = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], 6

-- append appends an entry to the feed. Its fields are in pairs.
local function append(epoch, seq, trim, ...)
  local args = {'XADD', FEED}
  if trim ~= '' then args = {'XADD', FEED, 'MINID', '=', trim} end
  args[#args + 1] = entryId(epoch, seq)
  local fields = {'e', epoch, ...}
  for i = 1, #fields do args[#args + 1] = fields[i] end
  redis.call(unpack(args))
end

-- latest returns a list of words with a word put in front of it, of which at most so many stay.
local function latest(word, list, most)
  local words = {}
  if word ~= '' then words[1] = word end
  for w in string.gmatch(list, '%S+') do
    if #words < most then words[#words + 1] = w end
  end
  return table.concat(words, ' ')
end

-- tell appends this effect to the feed. It is called before anything else is written. Behind the
-- verdicts come further fields, in pairs.
local function tell(kind, seq, verdicts, ...)
  if TRIM == 'off' then return end
  local fields = {'p', PREV, 'k', kind, ...}
  if verdicts then fields[#fields + 1], fields[#fields + 2] = 'v', verdicts end
  if BODY ~= '' then fields[#fields + 1], fields[#fields + 2] = 'b', BODY end
  append(EPOCH, seq, TRIM, unpack(fields))
end

-- isAhead tells whether the feed has an entry behind the table's number. XADD would refuse to append before it.
local function isAhead(t)
  return TRIM ~= 'off' and #redis.call('XRANGE', FEED, '(' .. entryId(t.epoch, t.seq), '+', 'COUNT', '1') > 0
end

-- follow returns the table's truth if this numbered effect comes next. Else it returns the answer to give as second value.
local function follow()
  local t = readTruth()
  if not t.epoch then return nil, answer('LOST', t) end
  if t.epoch ~= EPOCH then return nil, answer('FENCED', t) end
  local now = tonumber(t.seq)
  if now == tonumber(SEQ) then return nil, answer('OK', t) end
  if now > tonumber(SEQ) then return nil, answer('VOID', t) end
  if now < tonumber(PREV) then return nil, answer('LOST', t) end
  return t
end

-- barredWithFeed is barred for an effect that appends to the feed.
local function barredWithFeed()
  if TRIM ~= 'off' then writes[#writes + 1] = {'XADD', FEED, '*', '0', '0'} end
  return barred()
end

-- admit is follow for an effect that may run in these states only, on a table of which nothing is missing.
local function admit(a, b, c)
  local t, no = follow()
  if no then return nil, no end
  if not holds(t) or isAhead(t) then return nil, answer('LOST', t) end
  if t.state ~= a and t.state ~= b and t.state ~= c then return nil, answer('STATE', t) end
  no = barredWithFeed()
  if no then return nil, no end
  return t
end

-- admitRegular is admit for an effect that changes what readers see. It may run in the very state that it starts from: what is meant
-- for the clear state knows nothing of what is staged.
local function admitRegular()
  if STATE == 'active' then
    needs('HDEL', STAGED)
    needs('HSET', STAGED)
    needsEach('ZREM', shadow)
    needsEach('ZADD', shadow)
  end
  return admit(STATE)
end

-- recount stores the truth with the counts as they are now.
local function recount(t)
  t.count, t.staged = whole(redis.call('HLEN', ROWS)), whole(redis.call('HLEN', STAGED))
  t.live = whole(redis.call('ZCARD', shadow(1)))
  writeTruth(t)
end

-- done ends a numbered effect. It stores the small reply for the case that the effect is sent again or settled.
local function done(t, last)
  t.seq, t.last = SEQ, last
  recount(t)
  return answer('OK', t)
end

-- burning returns a function that notes a number which stands for no effect, and never will. The rest of the truth must still be
-- written then.
local function burning(t, position)
  local burned = latest(position, redis.call('HGET', TRUTH, 'burned') or '', 64)
  return function()
    t.burns = whole(tonumber(t.burns) + 1)
    redis.call('HSET', TRUTH, 'burned', burned)
  end
end

-- leave leaves a note with the table.
local function leave(t, note)
  redis.call('HSET', TRUTH, 'note', note)
  t.notes = whole(tonumber(t.notes) + 1)
end

-- disturb notes a change of what readers see.
local function disturb(t) t.rver = whole(tonumber(t.rver) + 1) end

-- u32 returns a number as four bytes.
local function u32(n)
  local low, high = n % 65536, (n - n % 65536) / 65536
  return string.char((high - high % 256) / 256, high % 256, (low - low % 256) / 256, low % 256)
end

-- fill stores rows and scores. ARGV after the common ones: how many rows, the bytes of the widest; then key, row ...; then for each
-- index score, key ... With a generation the rows are stored as rows of that one.
local function fill(t, hash, index, generation)
  local n, widest, before = 2 * tonumber(ARGV[COMMON + 1]), ARGV[COMMON + 2], COMMON + 2
  if generation then
    local stamp, rows = u32(generation), {unpack(ARGV, before + 1, before + n)}
    for i = 2, n, 2 do rows[i] = stamp .. string.sub(rows[i], 5) end
    redis.call('HSET', hash, unpack(rows))
  else
    redis.call('HSET', hash, unpack(ARGV, before + 1, before + n))
  end
  for j = 1, INDEXES do
    redis.call('ZADD', index(j), unpack(ARGV, before + 1 + j * n, before + (j + 1) * n))
  end
  if tonumber(widest) > tonumber(t.widest) then t.widest = widest end
end

-- remove takes keys out of every index, but for one maybe.
local function remove(index, keys, but)
  for first = 1, #keys, MOST do
    local to = first + MOST - 1
    if to > #keys then to = #keys end
    for j = 1, INDEXES do
      if j ~= but then redis.call('ZREM', index(j), unpack(keys, first, to)) end
    end
  end
end

local function needsDiscarding()
  needs('HSET', STAGED)
  needs('HDEL', STAGED)
  needsEach('ZREM', shadow)
end

-- hide discards keys, of which these may be staged: it puts tombstones in the place of their rows; where what is staged stands for the
-- whole table it takes the rows out.
local function hide(t, keys, staged)
  local half = MOST / 2
  for first = 1, #keys, half do
    local to = first + half - 1 < #keys and first + half - 1 or #keys
    if t.whole then
      redis.call('HDEL', STAGED, unpack(keys, first, to))
    else
      local tombs, tomb = {}, u32(tonumber(t.gen) + 1)
      for i = first, to do tombs[#tombs + 1], tombs[#tombs + 2] = keys[i], tomb end
      redis.call('HSET', STAGED, unpack(tombs))
    end
  end
  remove(shadow, staged)
  t.state = 'active'
end

-- unstage takes keys out of what is staged: what is written through wins.
local function unstage(keys)
  redis.call('HDEL', STAGED, unpack(keys))
  remove(shadow, keys)
end

-- filled returns the keys of the rows that fill has stored.
local function filled()
  local keys, before = {}, COMMON + 1
  for i = 1, tonumber(ARGV[COMMON + 1]) do keys[i] = ARGV[before + 2 * i] end
  return keys
end

-- fillThrough stores rows where readers see them, and sees to it that a merge shows them too: where staged rows stand for the whole
-- table they are staged as well, elsewhere nothing stays staged under their keys.
local function fillThrough(t)
  fill(t, ROWS, merged)
  if t.state ~= 'active' then return end
  if t.whole then
    fill(t, STAGED, shadow, tonumber(t.gen) + 1)
  else
    unstage(filled())
  end
end

-- drop removes every index.
local function drop(index)
  for j = 1, INDEXES do redis.call('UNLINK', index(j)) end
end
