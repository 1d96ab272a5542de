-- What the scripts share that take, renew or give up a lease.

-- The fields of the truth that tell of it: who holds it, how long it is, and when it ends by the server's clock, in microseconds. They
-- are missing where nobody holds one.
local LEASE = {'holder', 'lease', 'until'}
writes[#writes + 1] = {'TIME'}

local function clock()
  local now = redis.call('TIME')
  return tonumber(now[1]) * 1000000 + tonumber(now[2])
end

-- prolong has a lease of this length begin now.
local function prolong(length)
  redis.call('HSET', TRUTH, LEASE[2], length, LEASE[3], whole(clock() + tonumber(length)))
end

-- heldBy returns who holds the lease and for how long at most; nil if nobody does.
local function heldBy()
  local found = redis.call('HMGET', TRUTH, unpack(LEASE))
  for i = 2, 3 do
    if not found[i] or not string.find(found[i], '^%d+$') then return nil end
  end
  local length, left = tonumber(found[2]), tonumber(found[3]) - clock()
  if left <= 0 then return nil end
  if left > length then -- the clock has gone back: else the lease of one who is gone could last for ever
    left = length
    prolong(found[2])
  end
  return found[1] or '', left
end
