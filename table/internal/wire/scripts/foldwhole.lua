-- Puts staged rows that stand for the whole table in the place of the merged ones. It changes no answer of a read, and a late or
-- repeated call does nothing. ARGV: epoch, generation.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= ARGV[1] then return answer('FENCED', t) end
if t.gen ~= ARGV[2] or t.state ~= 'merging' then return answer('STALE', t) end
if not t.whole then return answer('STATE', t) end
if not holds(t) then return answer('LOST', t) end

needsReplacing()
local no = barred()
if no then return no end

-- What is staged may be nothing: a key without elements does not exist, and cannot be renamed.
local there = redis.call('EXISTS', STAGED) == 1
redis.call('UNLINK', ROWS) -- RENAME would delete it here and now
drop(merged)
if there then
  redis.call('RENAME', STAGED, ROWS)
  for j = 1, INDEXES do redis.call('RENAME', shadow(j), merged(j)) end
end
t.state = 'clear'
recount(t)
t.last = ''
return answer('OK', t)
