#include "quality/volume.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace caudal {
namespace {

constexpr std::size_t kEnough = 3;

/// One part against the band.
struct Finding {
  Verdict verdict = Verdict::kPass;
  std::string observed, message;
};

int Weight(Verdict verdict) { return verdict == Verdict::kFail ? 2 : verdict == Verdict::kWarn ? 1 : 0; }

std::string RowsText(std::int64_t rows) { return fmt::format("{} {}", rows, rows == 1 ? "row" : "rows"); }

Finding Look(const Volume& volume, const VolumeFacts& facts, const VolumeFacts::Part& part, std::int64_t usual) {
  Finding finding;
  finding.observed = (part.origin.empty() ? "" : part.origin + ": ") + RowsText(part.rows);
  const Verdict out = volume.severity == Severity::kWarn ? Verdict::kWarn : Verdict::kFail;
  const auto complain = [&](Verdict verdict, const std::string& why) {
    if (Weight(verdict) <= Weight(finding.verdict)) return;
    finding.verdict = verdict;
    finding.message = finding.observed + ", " + why;
  };
  if (facts.usual.size() >= kEnough && usual > 0) {
    const double change = (static_cast<double>(part.rows) - static_cast<double>(usual)) / static_cast<double>(usual) * 100;
    finding.observed += fmt::format(", usually {} ({:+.1f} %)", usual, change);
    if (volume.fail && std::abs(change) > *volume.fail) complain(Verdict::kFail, fmt::format("more than {} % away", *volume.fail));
    if (volume.warn && std::abs(change) > *volume.warn) complain(Verdict::kWarn, fmt::format("more than {} % away", *volume.warn));
  }
  if (volume.least && part.rows < *volume.least) complain(out, fmt::format("fewer than {}", *volume.least));
  if (volume.most && part.rows > *volume.most) complain(out, fmt::format("more than {}", *volume.most));
  return finding;
}

}  // namespace

std::int64_t MedianOf(std::vector<std::int64_t> numbers) {
  if (numbers.empty()) return 0;
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

CheckResult JudgeVolume(const Volume& volume, const VolumeFacts& facts) {
  CheckResult result;
  result.id = result.check.name = "volume";
  result.check.severity = volume.severity;
  result.check.place = volume.place;
  const std::int64_t usual = MedianOf(facts.usual);
  std::size_t out = 0;
  for (const VolumeFacts::Part& part : facts.parts) {
    Finding finding = Look(volume, facts, part, usual);
    out += finding.verdict == Verdict::kPass ? 0 : 1;
    const bool first = result.observed.empty();
    if (!first && Weight(finding.verdict) <= Weight(result.verdict)) continue;
    result.verdict = finding.verdict;
    result.observed = std::move(finding.observed);
    result.message = std::move(finding.message);
  }
  if (out > 1) result.message += fmt::format("; so are {} more of {} files", out - 1, facts.parts.size());
  const bool compares = volume.warn || volume.fail;
  if (result.verdict == Verdict::kPass && compares && facts.usual.size() < kEnough) result.observed += ", too few before to compare with";
  return result;
}

}  // namespace caudal
