// Counts the libtorch operators that compute something themselves, without calling another operator for it: on a GPU,
// each is about one kernel. Operators that only allocate memory or create a view of it do not count. Preloaded into the
// program (LD_PRELOAD). At exit it writes one line per operator to the file named by NOISESCOPE_OPERATORS: the operator
// that the program called, the one that computed, and the count.

#include <ATen/record_function.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace {

// An operator in progress.
struct Call {
    std::string name;
    // Whether an operator that it called has computed something.
    bool has_computed;
};

// This thread's operators in progress; the first one was called by the program.
thread_local std::vector<Call> calls;

// Operators that compute nothing: views, allocations and queries.
const std::set<std::string> views = {
    "aten::alias", "aten::as_strided", "aten::as_strided_", "aten::broadcast_to", "aten::contiguous", "aten::detach", "aten::detach_",
    "aten::empty", "aten::empty_like", "aten::empty_strided", "aten::expand", "aten::expand_as", "aten::flatten",
    "aten::narrow", "aten::permute", "aten::reshape", "aten::resize_", "aten::resolve_conj", "aten::resolve_neg",
    "aten::select", "aten::set_", "aten::slice", "aten::split", "aten::squeeze", "aten::t", "aten::to",
    "aten::transpose", "aten::transpose_", "aten::unflatten", "aten::unsqueeze", "aten::unsqueeze_", "aten::view",
    "aten::_reshape_alias", "aten::_unsafe_view", "aten::lift_fresh", "aten::is_pinned", "aten::result_type"};

std::mutex lock;

// Never destroyed, since threads may end later.
std::map<std::string, long>& counts() {
    static auto* all = new std::map<std::string, long>;
    return *all;
}

std::unique_ptr<at::ObserverContext> begins(const at::RecordFunction& function) {
    calls.push_back({function.name(), false});
    return nullptr;
}

void ends(const at::RecordFunction&, at::ObserverContext*) {
    if (calls.empty()) return;
    const Call call = calls.back();
    const std::string first = calls.front().name;
    calls.pop_back();
    const bool computes = !call.has_computed && !views.count(call.name);
    if (!calls.empty()) calls.back().has_computed |= computes || call.has_computed;
    if (!computes) return;
    const std::lock_guard<std::mutex> guard(lock);
    ++counts()[first + " " + call.name];
}

void write_counts() {
    const char* path = std::getenv("NOISESCOPE_OPERATORS");
    FILE* file = path ? std::fopen(path, "w") : nullptr;
    if (!file) return;
    const std::lock_guard<std::mutex> guard(lock);
    for (const auto& [name, count] : counts()) std::fprintf(file, "%s %ld\n", name.c_str(), count);
    std::fclose(file);
}

struct Counting {
    Counting() {
        at::addGlobalCallback(
            at::RecordFunctionCallback(begins, ends).scopes({at::RecordScope::FUNCTION}));
        std::atexit(write_counts);
    }
};

const Counting counting;

}  // namespace
