#include "app/live_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/table_print.h"

namespace caudal {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRedrawEvery{200};
constexpr std::size_t kMostLines = 12;

}  // namespace

LiveLines::LiveLines(const Console& console) : x_console(console), x_ticker([this] { Tick(); }) {}

LiveLines::~LiveLines() {
  Stop();
  x_ticker.join();
}

void LiveLines::Begin(const std::string& name, const std::string& ordinal) {
  const std::lock_guard lock(x_mutex);
  x_running[name] = Running{ordinal, std::chrono::steady_clock::now(), {}};
  Draw("");
}

void LiveLines::Update(const std::string& name, const JobProgress& progress) {
  const std::lock_guard lock(x_mutex);
  const auto it = x_running.find(name);
  if (it == x_running.end()) return;
  const std::int64_t rows = std::max(it->second.progress.rows, progress.rows);  // a later job of the task counts none
  it->second.progress = progress;
  it->second.progress.rows = rows;
}

void LiveLines::End(const std::string& name) {
  const std::lock_guard lock(x_mutex);
  x_running.erase(name);
}

void LiveLines::Say(const std::string& line) {
  const std::lock_guard lock(x_mutex);
  Draw(line + "\n");
}

void LiveLines::Stop() {
  const std::lock_guard lock(x_mutex);
  if (x_stopped) return;
  x_running.clear();
  Draw("");
  x_stopped = true;
  x_changed.notify_all();
}

void LiveLines::Tick() {
  std::unique_lock lock(x_mutex);
  while (!x_stopped) {
    x_changed.wait_for(lock, kRedrawEvery);
    if (!x_stopped && !x_running.empty()) Draw("");
  }
}

/// One write: up over the old lines, clear to the end of the screen, what stays, the new lines.
void LiveLines::Draw(const std::string& above) {
  std::string frame = x_drawn > 0 && !x_stopped ? fmt::format("\x1b[{}A\r\x1b[J", x_drawn) : "";
  frame += above;
  x_drawn = 0;
  for (const auto& [name, running] : x_running) {
    if (x_drawn == kMostLines || x_stopped) break;
    frame += LineOf(name, running) + "\n";
    ++x_drawn;
  }
  x_console.Write(frame);
}

std::string LiveLines::LineOf(const std::string& name, const Running& running) const {
  const auto elapsed =
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - running.since);
  const JobProgress& p = running.progress;
  std::string text = fmt::format("          {}  ...    {}", running.ordinal, name);
  if (p.rows > 0) {
    text += "  " + Counted(p.rows, "row");
    text += fmt::format("  {}/s", Grouped(p.rows * 1000 / std::max<std::int64_t>(elapsed.count(), 1)));
  }
  if (p.bytes > 0) text += "  " + SizeText(p.bytes);
  if (p.memory_bytes > 0) text += "  memory " + SizeText(p.memory_bytes);
  text += "  " + SecondsText(elapsed);
  const int width = x_console.width();
  // A line that wraps would count as two when it is drawn over. Names are plain ASCII, so bytes are columns.
  if (width > 1 && text.size() >= static_cast<std::size_t>(width)) text.resize(static_cast<std::size_t>(width) - 1);
  return text;
}

}  // namespace caudal
