-- One bounded step of counting what a merge now would show. ARGV: layout, cursor, the most keys, about the most bytes of rows.
-- Answers with the next cursor, how many staged rows and tombstones the step has seen, and how many of these hide a merged row; then
-- how many merged rows there are, how many staged rows and tombstones, and how many staged rows alone.
local t, _, no = present('', '', 'staged')
if no then return no end
local most, bytes, widest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(t.widest)
if most * widest > bytes then most = bytes / widest end
if most < 1 then most = 1 end
if t.whole then -- what is staged hides all, and all of it counts
  local a = answer('OK', t)
  a[10], a[11], a[12], a[13], a[14], a[15] = '0', tonumber(t.staged), tonumber(t.count), t.count, t.staged, t.live
  return a
end
local found = redis.call('HSCAN', STAGED, ARGV[2], 'COUNT', whole(most))
local keys, hidden = {}, 0
for i = 1, #found[2], 2 do keys[#keys + 1] = found[2][i] end
for i = 1, #keys, MOST do
  local to = i + MOST - 1
  if to > #keys then to = #keys end
  local there -- rows cost more than scores
  if complete(t, 1) then there = redis.call('ZMSCORE', merged(1), unpack(keys, i, to)) else there = redis.call('HMGET', ROWS, unpack(keys, i, to)) end
  for k = 1, #there do
    if there[k] then hidden = hidden + 1 end
  end
end
local a = answer('OK', t)
a[10], a[11], a[12], a[13], a[14], a[15] = found[1], #keys, hidden, t.count, t.staged, t.live
return a
