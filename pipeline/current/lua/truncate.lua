#!lua
-- Removes the rows of a table that are not newer than its TRUNCATE, and refuses such rows from now on.
-- KEYS: floors, deleted, rows, versions
-- ARGV: table, commit time in µs
local floors, deleted, rows, versions = unpack(KEYS)
local at = tonumber(ARGV[2])
if at > tonumber(redis.call('HGET', floors, ARGV[1]) or 0) then redis.call('HSET', floors, ARGV[1], ARGV[2]) end
local known = redis.call('HGETALL', versions)
for index = 1, #known, 2 do
    if tonumber(known[index + 1]) <= at then
        redis.call('HDEL', rows, known[index])
        redis.call('HDEL', versions, known[index])
        redis.call('ZREM', deleted, ARGV[1] .. ' ' .. known[index])
    end
end
return 1
