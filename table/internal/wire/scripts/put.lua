-- Stores rows.
needs('HSET', ROWS)
needsEach('ZADD', merged)
local t, no = admitRegular()
if no then return no end
tell('put', SEQ)
fill(t, ROWS, merged)
unstage(t, filled)
disturb(t)
return done(t, '')
