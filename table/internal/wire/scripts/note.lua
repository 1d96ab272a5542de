-- Reads the note. ARGV: layout. Answers with a list: of the note, or of nothing if there is none.
local t, _, no = present('', '', 'merged')
if no then return no end
local a = answer('OK', t)
a[10] = {redis.call('HGET', TRUTH, 'note')}
return a
