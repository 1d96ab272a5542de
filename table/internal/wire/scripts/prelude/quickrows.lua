-- Merged rows without scores.
if quick and ARGV[2] == 'merged' and ARGV[3] == '0' and #ARGV > 3 and #ARGV <= MOST then
  return soon(redis.call('HMGET', ROWS, unpack(ARGV, 4)), {})
end
