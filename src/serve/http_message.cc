#include "serve/http_message.h"

#include "base/json.h"

namespace caudal {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument: return 400;
    case ErrorKind::kPermission: return 403;
    case ErrorKind::kNotFound: return 404;
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kConflict:
    case ErrorKind::kCancelled: return 409;
    case ErrorKind::kUnsupported:
    case ErrorKind::kCheckFailed: return 422;
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout: return 503;
    case ErrorKind::kCorruption:
    case ErrorKind::kCommitUnknown:
    case ErrorKind::kInternal: return 500;
  }
  return 500;
}

}  // namespace

std::string HttpRequest::Header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? std::string() : it->second;
}

HttpResponse JsonResponse(int status, const Json& body) {
  HttpResponse response;
  response.status = status;
  response.body = DumpJson(body);
  return response;
}

HttpResponse ProblemResponse(int status, const Error& error) {
  Json body{{"title", ReasonOf(status)}, {"status", status}, {"detail", error.message}, {"kind", KindName(error.kind)}};
  if (!error.next.empty()) body["next"] = error.next;
  if (!error.where.empty()) body["where"] = error.where;
  HttpResponse response = JsonResponse(status, body);
  response.media_type = "application/problem+json";
  if (status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

HttpResponse ProblemResponse(const Error& error) { return ProblemResponse(StatusOf(error.kind), error); }

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

std::optional<std::string> DecodePercent(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace caudal
