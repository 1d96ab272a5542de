-- Answers with what the table holds (merged, and staged or not yet folded), its owner's name, how many entries the feed has and about how many bytes.
-- Then how many entries each of the indexes has that are being built. ARGV: layout.
local t, _, no = present('', '', 'merged')
if no then return no end
local bytes = redis.pcall('MEMORY', 'USAGE', FEED)
if type(bytes) ~= 'number' then bytes = 0 end -- there is none, or the user may not know
local a, copied = answer('OK', t), t.state == 'merging' and folded(t) or 0
a[10], a[11], a[12] = t.count, whole(tonumber(t.staged) - copied), redis.call('HGET', TRUTH, 'owner') or ''
a[13], a[14], a[15] = redis.call('XLEN', FEED), bytes, {}
for j = 1, INDEXES do
  if not complete(t, j) then a[15][#a[15] + 1] = whole(redis.call('ZCARD', merged(j))) end
end
return a
