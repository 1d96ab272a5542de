-- Stores rows.
needs('HSET', ROWS)
needsEach('ZADD', merged)
local t, no = admitRegular()
if no then return no end
tell('put', SEQ)
fillThrough(t)
disturb(t)
return done(t, '')
