// What a cell of a spreadsheet says, as the text that a CSV file would have. Pure.
#pragma once

#include <string>
#include <string_view>

namespace caudal {

/// What a number is, by the format in which it is shown.
enum class NumberForm { kNumber, kDate, kMoment, kTime, kElapsed };

/// `id`: of a format that every workbook has. Source: ECMA-376, 18.8.30.
NumberForm FormOfId(int id);
/// `code`: as "yyyy-mm-dd", "0.00%", "[h]:mm".
NumberForm FormOfCode(std::string_view code);

/// A number: 12, 12.5; a date: 2026-01-31, with its time where it has one; a moment: 2026-01-31 10:00:00; a time: 10:00:00, of an
/// elapsed one any number of hours. Digits beyond the 15 that Excel shows are left out where they are but the rounding of one with 12.
/// `since_1904`: how the workbook counts its days. What is no number comes back as it is.
std::string NumberText(std::string_view written, NumberForm form, bool since_1904);

/// Characters that XML cannot hold are written as _x000D_.
std::string WithoutEscapes(std::string text);

}  // namespace caudal
