#!lua
-- Moves the watermark of partitions of which everything is applied that was in Kafka some ms ago, by Redis' own clock.
-- Returns {1 if Redis is complete, partitions that have no position any more}.
-- KEYS: positions, applied, complete
-- ARGV: ms ago, then each partition
local positions, applied, complete = unpack(KEYS)
local time = redis.call('TIME')
local reached = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1])
local missing = 0
for index = 2, #ARGV do
    if redis.call('HEXISTS', positions, ARGV[index]) == 1 then
        redis.call('HSET', applied, ARGV[index], reached)
    else
        missing = missing + 1
    end
end
return {redis.call('EXISTS', complete), missing}
