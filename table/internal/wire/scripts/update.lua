-- Stores a row in place of another one, if that is still there. ARGV after the common ones: the row as for put, and the other row.
-- CHANGED: it is not, and nothing was done.
needs('HSET', ROWS)
needsEach('ZADD', merged)
local t, no = admitRegular()
if no then return no end
if redis.call('HGET', ROWS, ARGV[COMMON + 3]) ~= ARGV[#ARGV] then return answer('CHANGED', t) end
tell('put', SEQ)
fill(t, ROWS, merged)
unstage(t, filled)
disturb(t)
return done(t, '')
