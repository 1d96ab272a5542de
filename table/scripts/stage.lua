-- Stores rows in the scratch space.
needs('HSET', STAGED)
needsEach('ZADD', shadow)
local t, no = gate('clear', 'active')
if no then return no end
fill(STAGED, shadow)
t[5] = 'active'
return done(t, '')
