-- Drops everything, in any state.
needsUnlink(ROWS)
needsUnlink(STAGED)
needsUnlinkEach(merged)
needsUnlinkEach(shadow)
local t, no = gate('clear', 'active', 'merging')
if no then return no end
redis.call('UNLINK', ROWS, STAGED)
drop(merged)
drop(shadow)
t[5] = 'clear'
disturb(t)
redis.call('HSET', TRUTH, 'widest', '0')
return done(t, '')
