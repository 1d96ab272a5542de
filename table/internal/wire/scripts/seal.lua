-- Ends a transaction that has changed rows. KEYS: truth, rows, staged rows, first shadow index. ARGV: seq, state, rver,
-- widest, last; then, if the note is written, the fields notes and note with their values.
redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'state', ARGV[2], 'rver', ARGV[3], 'widest', ARGV[4], 'last', ARGV[5],
  'count', redis.call('HLEN', KEYS[2]), 'staged', redis.call('HLEN', KEYS[3]), 'live', redis.call('ZCARD', KEYS[4]), unpack(ARGV, 6))
