// SPDX-License-Identifier: MIT
// An object of each thread, made at its first use and ended with the thread.
#pragma once

#if __has_include(<pthread.h>)
#include <cerrno>
#include <memory>
#include <new>

#include <pthread.h>
#endif

namespace nystromformer::inline v0_2::detail {

#if __has_include(<pthread.h>)

/// What `thread_local Object` would be, but that a lack of memory is std::bad_alloc: the destructor
/// of a thread_local object is noted in memory, and glibc ends the program if there is none.
template <typename Object>
class PerThread {
public:
    static Object& get() {
        Object*& object = pointer();
        if (object == nullptr) object = make();
        return *object;
    }

private:
    static Object*& pointer() {
        static thread_local Object* object = nullptr;
        return object;
    }

    static Object* make() {
        auto object = std::make_unique<Object>();
        // EINVAL comes after ~Unload, while the program ends: the object then lasts until the end.
        if (::pthread_setspecific(key(), object.get()) == ENOMEM) throw std::bad_alloc();
        return object.release();
    }

    /// At the end of a thread, but not of the main one, whose object lasts as long as the program.
    static void end(void* object) {
        pointer() = nullptr;
        delete static_cast<Object*>(object);
    }

    static pthread_key_t key() {
        static const pthread_key_t key = make_key();
        static const Unload unload{key};
        return key;
    }

    static pthread_key_t make_key() {
        pthread_key_t key{};
        if (::pthread_key_create(&key, end) != 0) throw std::bad_alloc();
        return key;
    }

    /// Threads that end after a plug-in is unloaded, or after main, do not call `end` any more.
    struct Unload {
        pthread_key_t key;
        ~Unload() { ::pthread_key_delete(key); }
    };
};

#else

template <typename Object>
class PerThread {
public:
    static Object& get() {
        static thread_local Object object;
        return object;
    }
};

#endif

}  // namespace nystromformer::inline v0_2::detail
