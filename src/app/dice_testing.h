// Chance with a seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace caudal {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : x_engine(seed) {}
  void Reseed(std::uint64_t seed) { x_engine.seed(seed); }
  /// 0 .. n-1
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(x_engine() % n); }
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(x_engine() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool Chance(std::size_t percent) { return Below(100) < percent; }
  template <typename T>
  const T& Of(const std::vector<T>& list) {
    return list[Below(list.size())];
  }

 private:
  std::mt19937_64 x_engine;
};

}  // namespace caudal
