#!lua
-- Gives a Kafka partition its first position, unless another consumer was faster. Until everything that was in Kafka then
-- is applied, Redis is not complete.
-- Returns 1; 0 when the position is not the expected one any more.
-- KEYS: positions, states, complete, awaiting
-- ARGV: partition, expected position (empty: none), position, state of the versions there, table whose older rows only a
--       snapshot brings (empty: none)
local positions, states, complete, awaiting = unpack(KEYS)
if (redis.call('HGET', positions, ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', positions, ARGV[1], ARGV[3])
redis.call('HSET', states, ARGV[1], ARGV[4])
if ARGV[5] ~= '' then redis.call('SADD', awaiting, ARGV[5]) end
redis.call('DEL', complete)
return 1
