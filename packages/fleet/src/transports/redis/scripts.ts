import { MAX_DURATION_MS } from '../../plan/check-plan.js'
import { AUDIT_LENGTH } from './audit.js'
import { script } from './script.js'

/** How long the index keeps an instance that no longer reads, in ms. */
export const INDEX_MS = 60_000

/** How long the index keeps a run that nobody has closed, in ms: longer than any run lasts. */
const RUNNING_MS = 2 * MAX_DURATION_MS

/**
 * The read of an agent, in one step: its heartbeat, and all that concerns it. The heartbeat is a write, so a replica refuses it.
 *
 * `KEYS[1]` the instance; `ARGV` prefix, id, record, its time in ms, the run whose plan the agent has.
 */
export const readScript = script(`
local prefix, id = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', prefix .. 'index', now, id)
redis.call('ZREMRANGEBYSCORE', prefix .. 'index', '-inf', now - ${INDEX_MS})
local permitted = redis.call('EXISTS', prefix .. 'permit') == 1 and redis.call('EXISTS', prefix .. 'halt') == 0
local epoch = redis.call('GET', prefix .. 'epoch') or '0'
local answer = { permitted and 1 or 0, epoch }
local runId = redis.call('GET', prefix .. 'tgt:' .. id)
if not runId then return answer end
local key = prefix .. 'run:' .. runId
local run = redis.call('HMGET', key, 'phase', 'epoch', 'beat')
if not run[1] then return answer end
for _, value in ipairs({ runId, run[1], run[2], run[3], redis.call('PTTL', key) }) do answer[#answer + 1] = value end
if runId == ARGV[5] then return answer end
local signed = redis.call('HMGET', key, 'plan', 'keyId', 'signature')
for index = 1, 3 do answer[#answer + 1] = signed[index] or '' end
return answer
`)

/**
 * The answer of an agent. It costs the agent less than a transaction of the same two commands.
 *
 * `KEYS[1]` the instance; `ARGV` the answers of the run, instance id, answer, how long the answers are kept in ms.
 */
export const ackScript = script(`
redis.call('HSET', ARGV[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', ARGV[1], ARGV[4])
`)

/**
 * Opens a run, if it is permitted and none of its instances and services is busy. A place counts as busy as long as its run
 * exists, so a run that has expired blocks nothing.
 *
 * `KEYS[1]` the run; `ARGV` prefix, run id, plan, key id, signature, owner, lease in ms, time of the places in ms, who, audit
 * details, then the places: `tgt:` or `svc:` and a name.
 */
export const openScript = script(`
local prefix, runId = ARGV[1], ARGV[2]
if redis.call('EXISTS', prefix .. 'halt') == 1 then return { 'halted' } end
if redis.call('EXISTS', prefix .. 'permit') == 0 then return { 'not-permitted' } end
local busy = { 'busy' }
for index = 11, #ARGV do
  local holder = redis.call('GET', prefix .. ARGV[index])
  if holder and redis.call('EXISTS', prefix .. 'run:' .. holder) == 1 then busy[#busy + 1] = string.sub(ARGV[index], 5) end
end
if #busy > 1 then return busy end
if redis.call('EXISTS', KEYS[1]) == 1 then return { 'busy', runId } end
local epoch = redis.call('GET', prefix .. 'epoch') or '0'
redis.call('HSET', KEYS[1], 'plan', ARGV[3], 'keyId', ARGV[4], 'signature', ARGV[5], 'owner', ARGV[6], 'epoch', epoch,
  'phase', 'prepare', 'beat', 1, 'by', ARGV[9])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
for index = 11, #ARGV do redis.call('SET', prefix .. ARGV[index], runId, 'PX', ARGV[8]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', prefix .. 'running', now, runId)
redis.call('ZREMRANGEBYSCORE', prefix .. 'running', '-inf', now - ${RUNNING_MS})
redis.call('XADD', prefix .. 'audit', 'MAXLEN', '~', ${AUDIT_LENGTH}, '*', 'what', 'open', 'by', ARGV[9], 'details', ARGV[10])
redis.call('PUBLISH', prefix .. 'wake', '')
return { 'open', epoch }
`)

/**
 * Renews the lease of a run. A run that is active stays so. A run of an earlier epoch was halted: the halt has been lifted since.
 *
 * `KEYS[1]` the run; `ARGV` prefix, run id, owner, lease in ms, phase.
 */
export const renewScript = script(`
local prefix = ARGV[1]
local run = redis.call('HMGET', KEYS[1], 'owner', 'epoch', 'phase', 'by')
if run[1] ~= ARGV[3] then return 'lost' end
if redis.call('EXISTS', prefix .. 'halt') == 1 then return 'halted' end
if (redis.call('GET', prefix .. 'epoch') or '0') ~= run[2] then return 'halted' end
if redis.call('EXISTS', prefix .. 'permit') == 0 then return 'not-permitted' end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('HINCRBY', KEYS[1], 'beat', 1)
if ARGV[5] == 'active' and run[3] ~= 'active' then
  redis.call('HSET', KEYS[1], 'phase', 'active')
  redis.call('XADD', prefix .. 'audit', 'MAXLEN', '~', ${AUDIT_LENGTH}, '*', 'what', 'activate', 'by', run[4] or '',
    'details', cjson.encode({ runId = ARGV[2] }))
  redis.call('PUBLISH', prefix .. 'wake', '')
end
return 'renewed'
`)

/**
 * Raises the epoch. The clock of the engine keeps it above what agents have seen before the engine lost its data, or before a
 * replica that lagged took over. What somebody has put there and no agent can read counts as none.
 *
 * `KEYS[1]` the epoch; `ARGV` prefix, whether only to raise it if runs are not permitted (1 or 0).
 */
export const raiseScript = script(`
local prefix = ARGV[1]
local epoch = redis.call('GET', KEYS[1]) or '0'
local known = tonumber(epoch)
local isSound = known and known >= 0 and known < ${Number.MAX_SAFE_INTEGER} and known % 1 == 0
if ARGV[2] == '1' and isSound and redis.call('EXISTS', prefix .. 'permit') == 1 and redis.call('EXISTS', prefix .. 'halt') == 0 then
  return epoch
end
local time = redis.call('TIME')
local raised = string.format('%.0f', math.max(isSound and known + 1 or 0, time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('SET', KEYS[1], raised)
return raised
`)

/**
 * Calls a halt, unless there is one. Who may halt must not be able to replace a halt, so the first one stays.
 *
 * `KEYS[1]` the epoch; `ARGV` the key of the halt, the halt as text. Returns whether it is new (1 or 0), and the halt that is there.
 */
export const haltScript = script(`
local isNew = redis.call('SETNX', ARGV[1], ARGV[2])
return { isNew, redis.call('GET', ARGV[1]) }
`)
