-- Answers with what the table holds (count, staged), its owner's name, how many entries the feed has and about how many bytes.
-- ARGV: layout.
local t, _, no = present('', '', 'merged')
if no then return no end
local bytes = redis.pcall('MEMORY', 'USAGE', FEED)
if type(bytes) ~= 'number' then bytes = 0 end -- there is none, or the user may not know
local a = answer('OK', t)
a[10], a[11], a[12] = t.count, t.staged, redis.call('HGET', TRUTH, 'owner') or ''
a[13], a[14] = redis.call('XLEN', FEED), bytes
return a
