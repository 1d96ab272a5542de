-- Answers with what the table holds (count, staged) and its owner's name. ARGV: layout.
local t, _, no = present('', '', 'merged')
if no then return no end
local a = answer('OK', t)
a[9], a[10], a[11] = t.count, t.staged, redis.call('HGET', TRUTH, 'owner') or ''
return a
