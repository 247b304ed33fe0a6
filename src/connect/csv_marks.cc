#include "connect/csv_marks.h"

#include <bit>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace caudal {
namespace {

struct Block {
  std::uint64_t marks = 0;
  bool high = false;
};

constexpr std::size_t kBlock = 64;

#ifdef __SSE2__
Block ScanBlock(const char* p, char delimiter, char quote) {
  const __m128i delimiters = _mm_set1_epi8(delimiter);
  const __m128i quotes = _mm_set1_epi8(quote);
  const __m128i feeds = _mm_set1_epi8('\n');
  Block block;
  int high = 0;
  for (unsigned part = 0; part < 4; ++part) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * part));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, delimiters), _mm_cmpeq_epi8(v, quotes)), _mm_cmpeq_epi8(v, feeds));
    block.marks |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(hit))} << (16 * part);
    high |= _mm_movemask_epi8(v);
  }
  block.high = high != 0;
  return block;
}
#else
Block ScanBlock(const char* p, char delimiter, char quote) {
  Block block;
  unsigned char all = 0;
  for (unsigned i = 0; i < kBlock; ++i) {
    const char c = p[i];
    all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
    const bool hit = c == delimiter || c == quote || c == '\n';
    block.marks |= std::uint64_t{hit} << i;
  }
  block.high = all >= 0x80;
  return block;
}
#endif

}  // namespace

bool FindCsvMarks(std::string_view bytes, std::uint32_t base, char delimiter, char quote,
                  std::vector<std::uint32_t>& marks) {
  bool high = false;
  std::size_t i = 0;
  for (; i + kBlock <= bytes.size(); i += kBlock) {
    Block block = ScanBlock(bytes.data() + i, delimiter, quote);
    high = high || block.high;
    for (; block.marks != 0; block.marks &= block.marks - 1) {
      marks.push_back(base + static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(std::countr_zero(block.marks)));
    }
  }
  for (; i < bytes.size(); ++i) {
    const char c = bytes[i];
    high = high || static_cast<unsigned char>(c) >= 0x80;
    if (c == delimiter || c == quote || c == '\n') marks.push_back(base + static_cast<std::uint32_t>(i));
  }
  return high;
}

}  // namespace caudal
