-- Drops everything, in any state.
needsUnlink(ROWS)
needsUnlink(STAGED)
needsUnlinkEach(merged)
needsUnlinkEach(shadow)
needs('HDEL', TRUTH)
local t, no = admit('clear', 'active', 'merging')
if no then return no end
tell('clear', SEQ)
redis.call('UNLINK', ROWS, STAGED)
drop(merged)
drop(shadow)
redis.call('HDEL', TRUTH, 'note', 'fold')
t.notes = whole(tonumber(t.notes) + 1)
t.state = 'clear'
t.widest = '0'
disturb(t)
return done(t, '')
