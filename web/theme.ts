import { useEffect, useState } from 'preact/hooks'

/** What a person chose; 'system' follows the browser. */
export type Theme = 'system' | 'light' | 'dark'
export type Scheme = 'light' | 'dark'

export const themes: readonly Theme[] = ['system', 'light', 'dark']
const key = 'skep.theme'

export function remembered(): Theme {
  try {
    const value = localStorage.getItem(key)
    return themes.find((theme) => theme === value) ?? 'system'
  } catch {
    // Storage is forbidden here: the choice lasts as long as the page.
    return 'system'
  }
}

/** Makes the choice visible, and keeps it for the next time. */
export function apply(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme
  try {
    if (theme === 'system') localStorage.removeItem(key)
    else localStorage.setItem(key, theme)
  } catch { /* Storage is forbidden here. */ }
}

/** The choice, and the scheme that is in force. */
export function useTheme(): { theme: Theme; scheme: Scheme; choose: (theme: Theme) => void } {
  const [theme, setTheme] = useState(remembered)
  const [isDark, setDark] = useState(() => darkQuery().matches)
  useEffect(() => {
    const query = darkQuery()
    const follow = () => setDark(query.matches)
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [])
  const choose = (chosen: Theme) => {
    apply(chosen)
    setTheme(chosen)
  }
  return { theme, scheme: theme === 'system' ? isDark ? 'dark' : 'light' : theme, choose }
}

function darkQuery(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)')
}
