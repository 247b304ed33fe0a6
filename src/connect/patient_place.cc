#include "connect/patient_place.h"

#include <chrono>
#include <iterator>
#include <thread>

namespace caudal {
namespace {

constexpr std::chrono::milliseconds kPauses[] = {std::chrono::milliseconds(300), std::chrono::milliseconds(1000),
                                                 std::chrono::milliseconds(3000), std::chrono::milliseconds(6000)};

class PatientPlace final : public FilePlace {
 public:
  PatientPlace(std::unique_ptr<FilePlace> place, std::function<bool()> cancelled) : x_place(std::move(place)), x_cancelled(std::move(cancelled)) {}

  Result<std::vector<PlaceFile>> List(std::string_view glob) override {
    return Tried([&] { return x_place->List(glob); });
  }
  Result<PlaceFile> Stat(const std::string& name) override {
    return Tried([&] { return x_place->Stat(name); });
  }
  Status Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) override { return x_place->Read(file, from, take); }
  Result<std::string> Head(const std::string& name, std::size_t limit) override {
    return Tried([&] { return x_place->Head(name, limit); });
  }
  PlaceEditor* editor() override { return x_place->editor(); }

 private:
  template <typename F>
  auto Tried(F ask) const -> decltype(ask()) {
    for (std::size_t broken = 0;; ++broken) {
      auto answer = ask();
      if (answer || !answer.error().retryable()) return answer;
      if (PauseBeforeTry(broken, x_cancelled)) continue;
      if (x_cancelled && x_cancelled()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      return answer;
    }
  }

  const std::unique_ptr<FilePlace> x_place;
  const std::function<bool()> x_cancelled;
};

}  // namespace

bool PauseBeforeTry(std::size_t broken, const std::function<bool()>& cancelled) {
  if (broken >= std::size(kPauses)) return false;
  const auto wake = std::chrono::steady_clock::now() + kPauses[broken];
  while (std::chrono::steady_clock::now() < wake) {
    if (cancelled && cancelled()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::unique_ptr<FilePlace> MakePatientPlace(std::unique_ptr<FilePlace> place, std::function<bool()> cancelled) {
  return std::make_unique<PatientPlace>(std::move(place), std::move(cancelled));
}

}  // namespace caudal
