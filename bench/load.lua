-- What wrk sends: saves or reads of workflows, each thread with one connection and with workflows of its own.
--
-- Arguments: the folder with the requests and the list of workflows, how many threads there are, this run's
-- first number, and a pattern that each answer must match ("" where none is looked at).

local threads = {}

function setup(thread)
   thread:set("place", #threads)
   threads[#threads + 1] = thread
end

local function lines(file)
   local all = {}
   for line in io.lines(file) do all[#all + 1] = line end
   return all
end

-- Texts and names of holes by turns.
local function template(file)
   local open, parts = io.open(file, "rb"), {}
   local text = open:read("*a")
   open:close() -- wrk takes few file numbers
   for part in (text .. "\1"):gmatch("([^\1]*)\1") do parts[#parts + 1] = part end
   return parts
end

function init(args)
   local folder, count = args[1], tonumber(args[2])
   number, expected = tonumber(args[3]), args[4]
   requests, workflows, turn, acknowledged, failed, complaint = {}, {}, place == 0 and -1 or 0, 0, 0, ""
   for _, file in ipairs(lines(folder .. "/requests")) do
      requests[#requests + 1] = template(folder .. "/" .. file)
   end
   for index, line in ipairs(lines(folder .. "/workflows")) do
      if (index - 1) % count == place then
         local id, version = line:match("(%S+) (%d+)")
         local client = string.format("%-24s", string.format("run%d-tab%d", args[3], place)):gsub(" ", "-")
         workflows[#workflows + 1] = {
            id = id, version = tonumber(version), saves = 0, client = client, x0 = number, x1 = number, x2 = number, x3 = number,
         }
      end
   end
   if expected == "" then response = nil end
end

function request()
   if turn < 0 then -- wrk looks at one request of the first thread before it starts, and does not send it
      turn = 0
      return "GET / HTTP/1.1\r\n\r\n"
   end
   local workflow = workflows[turn % #workflows + 1]
   local spot = math.floor(turn / #workflows) % #requests
   turn, number = turn + 1, number + 1
   workflow["x" .. spot] = number
   current = workflow
   workflow.saves = workflow.saves + 1
   workflow.base = string.format("%-9d", workflow.version)
   workflow.sequence = string.format("%-9d", workflow.saves)
   local parts, filled = requests[spot + 1], {}
   for index = 1, #parts do
      filled[index] = index % 2 == 1 and parts[index] or workflow[parts[index]]
   end
   return table.concat(filled)
end

function response(status, _, body)
   if status == 200 and body:find(expected) then
      acknowledged = acknowledged + 1
      current.version = tonumber(body:match('"version":(%d+)'))
   else
      failed = failed + 1
      complaint = status .. " " .. body:sub(1, 500)
   end
end

function done(summary, latency)
   local acknowledged, failed, complaint = 0, 0, ""
   for _, thread in ipairs(threads) do
      acknowledged, failed = acknowledged + thread:get("acknowledged"), failed + thread:get("failed")
      if thread:get("complaint") ~= "" then complaint = thread:get("complaint") end
   end
   local broken = 0
   for kind, count in pairs(summary.errors) do
      broken = broken + count
      if count > 0 then complaint = string.format("%s%d %s errors. ", complaint, count, kind) end
   end
   io.stderr:write(string.format("%d %d %d %d %d %d %d %d\n%s",
      summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
      acknowledged, failed, broken, complaint))
end
