"""The Community Life Survey: its respondents' files, its published figures, its published local-authority tables."""
