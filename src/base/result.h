// Result<T>: a value or an Error. The only way in which rooms report failure to one another.
// Member names are std::expected's. Not thread-safe, as any value.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/error.h"

namespace caudal {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : x_state(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by intent
  Result(Error error) : x_state(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return x_state.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { CHECK(has_value(), error().message); return std::get<0>(x_state); }
  const T& value() const& { CHECK(has_value(), error().message); return std::get<0>(x_state); }
  T&& value() && { CHECK(has_value(), error().message); return std::get<0>(std::move(x_state)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(x_state); }
  const Error& error() const& { return std::get<1>(x_state); }
  Error&& error() && { return std::get<1>(std::move(x_state)); }

 private:
  std::variant<T, Error> x_state;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : x_error(std::move(error)) {}  // NOLINT: implicit by intent

  bool has_value() const { return !x_error; }
  explicit operator bool() const { return has_value(); }
  Error& error() & { return *x_error; }
  const Error& error() const& { return *x_error; }
  Error&& error() && { return *std::move(x_error); }

 private:
  std::optional<Error> x_error;
};

using Status = Result<void>;

}  // namespace caudal

#define CAUDAL_CONCAT_(a, b) a##b
#define CAUDAL_CONCAT(a, b) CAUDAL_CONCAT_(a, b)

/// Returns the error of `expr` from the enclosing function, if it has one.
#define TRY(expr)                                                      \
  do {                                                                 \
    auto caudal_status = (expr);                                       \
    if (!caudal_status) return std::move(caudal_status).error();       \
  } while (false)

/// `TRY_ASSIGN(auto x, F())`: x is the value of F(), or its error is returned.
#define TRY_ASSIGN(lhs, expr) TRY_ASSIGN_AS_(CAUDAL_CONCAT(caudal_result_, __LINE__), lhs, expr)
#define TRY_ASSIGN_AS_(name, lhs, expr)                \
  auto name = (expr);                                  \
  if (!name) return std::move(name).error();           \
  lhs = std::move(name).value()
