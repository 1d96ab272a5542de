-- Adds entries of rows to indexes that are being built. Whoever writes a row meanwhile makes its entry himself, so one that is there is
-- left alone, and a row that is gone gets none. It may be repeated. ARGV: epoch, layout, how many rows, their keys, and for each index
-- its number and the scores of the rows.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= ARGV[1] then return answer('FENCED', t) end
if t.layout ~= ARGV[2] then return answer('LAYOUT', t) end
if not holds(t) then return answer('LOST', t) end
needsEach('ZADD', merged)
local no = barred()
if no then return no end

local n, first = tonumber(ARGV[3]), 4
local rows, there = redis.call('HMGET', ROWS, unpack(ARGV, first, first + n - 1)), {}
for i = 1, n do
  if rows[i] then there[#there + 1] = i end
end
for at = first + n, #ARGV, n + 1 do
  local j, entries = tonumber(ARGV[at]), {}
  for _, i in ipairs(there) do entries[#entries + 1], entries[#entries + 2] = ARGV[at + i], ARGV[first + i - 1] end
  if not complete(t, j) and #there > 0 then redis.call('ZADD', merged(j), 'NX', unpack(entries)) end
end
t.last = ''
return answer('OK', t)
