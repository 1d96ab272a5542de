-- Discards rows by where they lie in an index, as a merge now would show it, some at most in one step. Interval 'all' is discardall.lua's.
needsDiscarding()
local t, no = admit('clear', 'active')
if no then return no end
if not complete(t, index) then return answer('BUILDING', t) end
local keys, staged, _, place = found(t)
tellKeys('discard', keys)
if #keys > 0 then hide(t, keys, staged) end
return swept(t, #keys, place)
