-- Gives rows of a table the state that PostgreSQL had at a version. A row of which Redis has a later state stays
-- (write.lua).
-- Returns the number of rows written; -1 when Redis is not as complete as it was when the rows were compared: nothing is
-- written then.
-- KEYS: complete, floors, deleted, rows, versions
-- ARGV: value of `complete` then, table, version in µs; then of each row: field, JSON (empty: deleted)
local complete, floors, deleted, rows, versions = unpack(KEYS)
if redis.call('GET', complete) ~= ARGV[1] then return -1 end
local table_name, version = ARGV[2], ARGV[3]
local floor, written = tonumber(redis.call('HGET', floors, table_name) or 0), 0
for at = 4, #ARGV, 2 do
    written = written + write(rows, versions, deleted, table_name, floor, ARGV[at], version, ARGV[at + 1])
end
return written
